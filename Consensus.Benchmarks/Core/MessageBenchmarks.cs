using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Consensus.Protocol;

namespace Consensus.Benchmarks.Core;

/// <summary>JSON of the messages between agents.</summary>
public class MessageBenchmarks
{
    private static readonly RunDescriptor Run = new(
        new RunId(17, "agent1", "0123456789ab"), 3, 1, Rule.Ratified, 3, DrawStrategy.Fresh, 200,
        new Dictionary<string, string> { ["agent1"] = "0123456789ab", ["agent2"] = "123456789abc", ["agent3"] = "23456789abcd" });

    private static readonly Vote Vote = new("agent2", 2, 2, 1, Run);
    private static readonly Response SampleResponse =
        new(ResponseStatus.Ok) { AgentId = "agent3", Run = Run.Id, Vote = new Vote("agent3", 2, 2, 1) };
    private static readonly byte[] VoteBytes = JsonSerializer.SerializeToUtf8Bytes(Vote, MessageJson.Default.Vote);
    private static readonly Vote VoteAlone = Vote with { Run = null };
    private static readonly byte[] VoteAloneBytes = JsonSerializer.SerializeToUtf8Bytes(VoteAlone, MessageJson.Default.Vote);
    private static readonly byte[] ResponseBytes = JsonSerializer.SerializeToUtf8Bytes(SampleResponse, MessageJson.Default.Response);

    /// <summary>Writes a vote, its run described.</summary>
    [Benchmark]
    public byte[] WriteVote() => JsonSerializer.SerializeToUtf8Bytes(Vote, MessageJson.Default.Vote);

    /// <summary>Reads it.</summary>
    [Benchmark]
    public Vote? ReadVote() => JsonSerializer.Deserialize(VoteBytes, MessageJson.Default.Vote);

    /// <summary>Writes a vote without its run's descriptor.</summary>
    [Benchmark]
    public byte[] WriteVoteAlone() => JsonSerializer.SerializeToUtf8Bytes(VoteAlone, MessageJson.Default.Vote);

    /// <summary>Reads it.</summary>
    [Benchmark]
    public Vote? ReadVoteAlone() => JsonSerializer.Deserialize(VoteAloneBytes, MessageJson.Default.Vote);

    /// <summary>Writes a response with a vote in it.</summary>
    [Benchmark]
    public byte[] WriteResponse() => JsonSerializer.SerializeToUtf8Bytes(SampleResponse, MessageJson.Default.Response);

    /// <summary>Reads it.</summary>
    [Benchmark]
    public Response? ReadResponse() => JsonSerializer.Deserialize(ResponseBytes, MessageJson.Default.Response);
}
