using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Consensus.Hosting;

/// <summary>A JSON body that reports when the receiver has asked for it.</summary>
internal sealed class RequestedContent : HttpContent
{
    private readonly byte[] _json;
    private readonly Action _requested;

    public RequestedContent(string json, Action requested)
    {
        (_json, _requested) = (Encoding.UTF8.GetBytes(json), requested);
        Headers.ContentType = new MediaTypeHeaderValue("application/json");
    }

    /// <summary>Whether the receiver may have the body.</summary>
    public bool IsSent { get; private set; }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        IsSent = true;
        _requested();
        return stream.WriteAsync(_json).AsTask();
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _json.Length;
        return true;
    }
}
