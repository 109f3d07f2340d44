using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Consensus.ServiceDefaults;

namespace Consensus.Agent.Configuration;

/// <summary>An address that an agent listens on.</summary>
/// <param name="Scheme"><c>http</c> or <c>https</c>.</param>
/// <param name="Host"><see cref="Any"/>, <c>localhost</c> or an IP address.</param>
/// <param name="Port">0..65535; 0 takes a free one.</param>
internal sealed record Listener(string Scheme, string Host, int Port)
{
    /// <summary>The host that stands for all addresses of this machine.</summary>
    public const string Any = "*";

    private const string ThisMachine = "localhost";

    /// <summary>Whether other machines can reach it.</summary>
    public bool IsOpenToOthers => Host != ThisMachine && !(IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>The address as the server takes it. A free port can only be had on one of localhost's two addresses.</summary>
    public string Url => UrlOf(Scheme, Host == ThisMachine && Port == 0 ? "127.0.0.1" : Host, Port);

    /// <summary>The address under which this machine reaches it.</summary>
    public Uri Address => new(UrlOf(Scheme, IsWildcard ? IsIPv6 ? "::1" : "127.0.0.1" : Host, Port));

    /// <summary>The address to print: people open <c>localhost</c>, and no wildcard.</summary>
    public Uri Shown => IsWildcard ? new(UrlOf(Scheme, ThisMachine, Port)) : Address;

    private bool IsWildcard =>
        Host == Any || (IPAddress.TryParse(Host, out var address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)));

    private bool IsIPv6 => IPAddress.TryParse(Host, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>
    /// Reads where to listen: <c>--listen</c> and <c>--port</c>, else ASP.NET's own settings, else <c>PORT</c> on localhost.
    /// </summary>
    /// <exception cref="ConfigurationException">A setting is wrong; the message names what to change.</exception>
    public static IReadOnlyList<Listener> From(IConfiguration configuration, string? listen = null, int? port = null)
    {
        var aspNet = listen is null && port is null ? FromAspNet(configuration) : [];
        return aspNet.Count > 0 ? aspNet : [new Listener("http", HostOf(listen), AgentOptions.PortFrom(configuration, port))];
    }

    /// <summary>
    /// Reads ASP.NET's own settings <c>URLS</c>, or else <c>HTTP_PORTS</c> and <c>HTTPS_PORTS</c>; empty where none is set.
    /// </summary>
    /// <exception cref="ConfigurationException">A setting is wrong; the message names what to change.</exception>
    public static IReadOnlyList<Listener> FromAspNet(IConfiguration configuration)
    {
        var urls = Split(configuration["urls"]).Select(FromUrl).ToList();
        return urls.Count > 0 ? urls : [.. PortsOf("http"), .. PortsOf("https")];

        IEnumerable<Listener> PortsOf(string scheme) => Split(configuration[$"{scheme}_ports"]).Select(text =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= ushort.MaxValue
                ? new Listener(scheme, Any, port)
                : throw new ConfigurationException(
                    $"{scheme.ToUpperInvariant()}_PORTS holds '{text}'; write port numbers from 0 to 65535, such as 8080."));
    }

    /// <summary>Says which of ASP.NET's settings <c>--listen</c> and <c>--port</c> overrule; null: none.</summary>
    public static string? Overruled(IConfiguration configuration, string? listen, int? port) =>
        (listen is not null || port is not null) && FromAspNet(configuration) is { Count: > 0 } overruled
            ? $"--listen and --port win over {(string.IsNullOrWhiteSpace(configuration["urls"]) ? "HTTP_PORTS" : "URLS")} "
                + $"({string.Join(", ", overruled.Select(listener => listener.Url))})."
            : null;

    /// <summary>Says who can reach agents that listen here.</summary>
    public static string DescribeExposure(IReadOnlyList<Listener> listeners)
    {
        var open = listeners.Where(listener => listener.IsOpenToOthers).ToList();
        if (open.Count == 0)
        {
            return "Open to this machine only; --listen any opens it to others.";
        }

        var wildcard = open.Find(listener => listener.IsWildcard);
        return wildcard is null
            ? $"Open to every machine that reaches {string.Join(", ", open.Select(listener => listener.Host).Distinct())}."
            : OwnAddresses(wildcard.Host == IPAddress.Any.ToString())
                .Select(address => UrlOf(wildcard.Scheme, address.ToString(), wildcard.Port)).ToList() is { Count: > 0 } others
                ? $"Open to all networks of this machine; others open {string.Join(" or ", others)}."
                : "Open to all networks of this machine.";
    }

    /// <summary>The same address with a port that many higher.</summary>
    public Listener Next(int count) => Port == 0 ? this : this with { Port = Port + count };

    /// <summary>Takes a free port and holds it until the server listens on it.</summary>
    public (Listener Bound, Socket Socket) Bind()
    {
        var address = IPAddress.TryParse(Host, out var given) ? given
            : Host == ThisMachine ? IPAddress.Loopback
            : Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any;
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.Equals(IPAddress.IPv6Any))
            {
                socket.DualMode = true;
            }

            socket.Bind(new IPEndPoint(address, 0));
            return (this with { Host = Host == ThisMachine ? address.ToString() : Host, Port = ((IPEndPoint)socket.LocalEndPoint!).Port },
                socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Reads an address as the server takes it.</summary>
    public static Listener FromUrl(string url)
    {
        try
        {
            var address = BindingAddress.Parse(url);
            if (address.IsUnixPipe || address.IsNamedPipe || address.Scheme is not ("http" or "https"))
            {
                throw new FormatException("only http and https addresses are served");
            }

            // The server takes every host that is no address as a wildcard.
            var isAddress = IPAddress.TryParse(address.Host, out var ip)
                || address.Host.Equals(ThisMachine, StringComparison.OrdinalIgnoreCase);
            return new Listener(address.Scheme, ip?.ToString() ?? (isAddress ? ThisMachine : Any), address.Port);
        }
        catch (FormatException e)
        {
            throw new ConfigurationException(
                $"URLS holds '{url}' ({e.Message.TrimEnd('.')}); write it as http://ADDRESS:PORT, such as http://0.0.0.0:5001.");
        }
    }

    private static string HostOf(string? listen) => listen is null ? ThisMachine
        : listen.Equals("any", StringComparison.OrdinalIgnoreCase) ? Any
        : listen.Equals(ThisMachine, StringComparison.OrdinalIgnoreCase) ? ThisMachine
        : IPAddress.TryParse(listen, out var address) ? address.ToString()
        : throw new ConfigurationException($"--listen is '{listen}'; it must be any, localhost or an IP address of this machine.");

    private static string[] Split(string? text) =>
        (text ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static IEnumerable<IPAddress> OwnAddresses(bool onlyIPv4) => NetworkInterface.GetAllNetworkInterfaces()
        .Where(card => card.OperationalStatus == OperationalStatus.Up)
        .SelectMany(card => card.GetIPProperties().UnicastAddresses).Select(unicast => unicast.Address)
        .Where(address => !IPAddress.IsLoopback(address) && !address.IsIPv6LinkLocal
            && (!onlyIPv4 || address.AddressFamily == AddressFamily.InterNetwork))
        .OrderBy(address => address.AddressFamily == AddressFamily.InterNetworkV6).Take(2);

    private static string UrlOf(string scheme, string host, int port) => string.Create(
        CultureInfo.InvariantCulture, $"{scheme}://{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port}");
}
