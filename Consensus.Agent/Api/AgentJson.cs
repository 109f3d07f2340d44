using System.Net.ServerSentEvents;
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
    MaxDepth = WireLimits.MaxJsonDepth)]
[JsonSerializable(typeof(RunRequest))]
[JsonSerializable(typeof(RunResponse))]
[JsonSerializable(typeof(ResetBody))]
[JsonSerializable(typeof(ConsensusResponse))]
[JsonSerializable(typeof(StateResponse))]
[JsonSerializable(typeof(ClusterResponse))]
[JsonSerializable(typeof(FaultsBody))]
[JsonSerializable(typeof(FaultsResponse))]
[JsonSerializable(typeof(ProblemDetails))]
[JsonSerializable(typeof(SseItem<string>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
internal sealed partial class AgentJson : JsonSerializerContext;
