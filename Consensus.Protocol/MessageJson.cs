using System.Text.Json.Serialization;

namespace Consensus.Protocol;

/// <summary>JSON of the messages between agents: snake_case, strict, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = WireLimits.MaxJsonDepth)]
[JsonSerializable(typeof(NewRound))]
[JsonSerializable(typeof(Proposal))]
[JsonSerializable(typeof(Vote))]
[JsonSerializable(typeof(Final))]
[JsonSerializable(typeof(Response))]
public sealed partial class MessageJson : JsonSerializerContext;
