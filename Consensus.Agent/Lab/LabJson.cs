using System.Text.Json.Serialization;

namespace Consensus.Agent.Lab;

/// <summary>JSON of the explorer: snake_case, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ExploredState))]
[JsonSerializable(typeof(ExplorationProgress))]
[JsonSerializable(typeof(PossibleFutures))]
[JsonSerializable(typeof(LikelyFutures))]
internal sealed partial class LabJson : JsonSerializerContext;
