using System.Text.Json;
using System.Text.Json.Serialization;

namespace Maisi.Bridge.Client;

/// <summary>The JSON of the service: snake_case names, nothing where a value is null.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RunRequest))]
[JsonSerializable(typeof(JobRequest))]
[JsonSerializable(typeof(Job))]
[JsonSerializable(typeof(JobList))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(Delivery))]
[JsonSerializable(typeof(Health))]
[JsonSerializable(typeof(License))]
[JsonSerializable(typeof(ServiceInfo))]
public sealed partial class ClientJson : JsonSerializerContext;
