using System.Text.Json;
using System.Text.Json.Serialization;
using Consensus.Agent.Peers;
using Consensus.Protocol;
using Microsoft.AspNetCore.Mvc;

namespace Consensus.Agent.Api;

/// <summary>JSON of the API: snake_case, strict, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = MessageJson.MaxDepth)]
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
