using Consensus.Conformance;

namespace Consensus.Tests.Conformance;

/// <summary>A free port stays free until the program that got it listens.</summary>
[Trait(Category.Name, Category.Fast)]
public sealed class LoopbackPortsTests
{
    [Fact]
    public void No_port_is_one_that_a_connection_of_another_program_gets_before_the_agent_listens()
    {
        // Linux gives 32768 and above, macOS and Windows 49152 and above.
        Assert.All(LoopbackPorts.Free(20), port => Assert.InRange(port, 1024, 32_767));
    }

    [Fact]
    public void No_port_is_given_to_two_callers()
    {
        var ports = Enumerable.Range(0, 200).AsParallel().SelectMany(_ => LoopbackPorts.Free(2)).ToList();
        Assert.Equal(ports, ports.Distinct());
    }
}
