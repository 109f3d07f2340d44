using System.Net;
using System.Text;

namespace Consensus.Tests.Peers;

/// <summary>The hosts that the client calls.</summary>
public sealed partial class PeerClientTests
{
    private sealed class Hosts : HttpMessageHandler
    {
        public HashSet<string> Up { get; } = [];

        public List<string> Called { get; set; } = [];

        /// <summary>What they answer; null: who they are.</summary>
        public string? Body { get; set; }

        /// <summary>What every call throws; null: nothing.</summary>
        public Exception? Throws { get; set; }

        /// <summary>What takes the calls in place of these hosts; null: nothing.</summary>
        public HttpMessageInvoker? Sockets { get; set; }

        /// <summary>When they answer; null: at once.</summary>
        public TaskCompletionSource? Answers { get; set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var host = request.RequestUri!.Host;
            Called.Add(host);
            if (Sockets is not null)
            {
                return await Sockets.SendAsync(request, cancellationToken);
            }

            // Calls that are under way together do not know of each other's answers.
            await Task.Yield();
            await (Answers?.Task ?? Task.CompletedTask);
            if (Throws is not null)
            {
                throw Throws;
            }

            return Up.Contains(host)
                ? new HttpResponseMessage(HttpStatusCode.OK)
                {
                    Content = new StringContent(
                        Body ?? $$"""{"status":"ok","agent_id":"{{host}}","boot":"b"}""", Encoding.UTF8, "application/json"),
                }
                : throw new HttpRequestException(HttpRequestError.ConnectionError, "Connection refused");
        }
    }
}
