using Maisi.Bridge.Client;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Maisi.Bridge.Server;

/// <summary>What the OpenAPI document says beyond the endpoints' own types.</summary>
internal static class ApiDescription
{
    /// <summary>Adds title, keys, the pairs of sizes, and the form of an upload.</summary>
    public static void AddMaisiDescription(this OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo { Title = "Maisi.Bridge", Version = "v1", Description = "Synthetic CT and MR with label maps. Compatible with NVIDIA's MAISI NIM; not for diagnosis." };
            document.Servers?.Clear();
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal) { ["key"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer" } };
            document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("key", document)] = [] }];
            return Task.CompletedTask;
        });
        options.AddSchemaTransformer((schema, context, _) =>
        {
            if (context.JsonTypeInfo.Type == typeof(SizedAnatomy))
            {
                (schema.Type, schema.MinItems, schema.MaxItems) = (JsonSchemaType.Array, 2, 2);
                schema.Items = new OpenApiSchema { AnyOf = [new OpenApiSchema { Type = JsonSchemaType.String }, new OpenApiSchema { Type = JsonSchemaType.Number }] };
                schema.Description = "A structure and its size from 0 to 1, or -1 for absent: [\"liver\", 0.5].";
            }
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            if (operation.OperationId == "Submit" && operation.RequestBody?.Content?.TryGetValue("multipart/form-data", out var form) == true && form is OpenApiMediaType media)
                media.Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Properties = new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal) { ["request"] = media.Schema!, ["mask"] = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" } },
                    Required = new HashSet<string>(StringComparer.Ordinal) { "request", "mask" },
                };
            return Task.CompletedTask;
        });
    }
}
