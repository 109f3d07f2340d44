using System.Text.Json;
using System.Text.Json.Serialization;
using Consensus.Agent.Peers;
using Consensus.Protocol;
using Microsoft.AspNetCore.Mvc;

namespace Consensus.Agent.Api;

/// <summary>JSON of the API and between agents: snake_case, strict, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 16)]
[JsonSerializable(typeof(NewRound))]
[JsonSerializable(typeof(Proposal))]
[JsonSerializable(typeof(Vote))]
[JsonSerializable(typeof(Final))]
[JsonSerializable(typeof(Answer))]
[JsonSerializable(typeof(RunBody))]
[JsonSerializable(typeof(RunAnswer))]
[JsonSerializable(typeof(ResetBody))]
[JsonSerializable(typeof(ConsensusAnswer))]
[JsonSerializable(typeof(StateAnswer))]
[JsonSerializable(typeof(ClusterAnswer))]
[JsonSerializable(typeof(FaultsBody))]
[JsonSerializable(typeof(FaultsAnswer))]
[JsonSerializable(typeof(ProblemDetails))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
public sealed partial class AgentJson : JsonSerializerContext;
