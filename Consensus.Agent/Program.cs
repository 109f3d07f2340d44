using System.CommandLine;
using Consensus.Agent.Commands;
using Consensus.ServiceDefaults;

RemoteOnlyProxy.Install();
var root = new RootCommand("Agents that agree on a value, over REST. Without a command: serve.");
ServeCommand.AddTo(root);
root.Add(TriggerCommand.Create());
root.Add(HealthCommand.Create());
root.Add(SimulateCommand.Create());
root.Add(CheckCommand.Create());
root.Add(ConformCommand.Create());
root.Add(LinksCommand.Create());
root.Add(ReplayCommand.Create());

var parsed = root.Parse(args);
if (parsed.Errors.Count > 0)
{
    return Fail(parsed.Errors[0].Message);
}

try
{
    return await parsed.InvokeAsync(
        new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (ConfigurationException e)
{
    return Fail(e.Message);
}

static int Fail(string message)
{
    Console.Error.WriteLine(message.ReplaceLineEndings(" "));
    return 1;
}
