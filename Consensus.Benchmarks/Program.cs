using System.CommandLine;
using Consensus.Benchmarks.Cluster;
using Consensus.Benchmarks.Core;
using Consensus.Benchmarks.Platform;
using Microsoft.Extensions.Hosting;

// All calls stay on this machine.
RemoteOnlyProxy.Install();
var root = new RootCommand("Measures agents against the raw round trip, and the core by itself. Build it with -c Release.")
{
    ClusterCommand.Create(),
    CoreCommand.Create(),
    MemoryCommand.Create(),
    PlatformCommand.Create(),
    HelperServer.Command(),
};
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
