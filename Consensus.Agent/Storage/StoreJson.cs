using System.Text.Json.Serialization;
using Consensus.Protocol;

namespace Consensus.Agent.Storage;

/// <summary>JSON in the file of decisions: snake_case, strict, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(RunDescriptor))]
internal sealed partial class StoreJson : JsonSerializerContext;
