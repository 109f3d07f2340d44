using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace Consensus.Tests.Architecture;

/// <summary>A compiled assembly: which types its types name in signatures, attributes and method bodies.</summary>
internal sealed class CompiledCode : IDisposable
{
    private readonly ModuleDefinition _module;

    /// <param name="ofAssembly">Any type of the assembly.</param>
    public CompiledCode(Type ofAssembly)
        : this(ofAssembly.Assembly.Location)
    {
    }

    /// <param name="path">The assembly's file.</param>
    public CompiledCode(string path) => _module = ModuleDefinition.ReadModule(path);

    /// <summary>Names of the assemblies that it was compiled against and uses.</summary>
    public IEnumerable<string> References => _module.AssemblyReferences.Select(reference => reference.Name);

    /// <summary>Types of other assemblies that it uses.</summary>
    public IEnumerable<string> ForeignTypes => _module.GetTypeReferences().Select(type => type.FullName);

    /// <summary>Every use of a type by a type, with the full names of both. A nested type counts as the one around it.</summary>
    public IEnumerable<(TypeReference User, TypeReference Used)> Uses() =>
        _module.GetAllTypes()
            .SelectMany(type => Named(type).SelectMany(Parts).Select(used => (Outermost(type), Outermost(used)))).Distinct();

    /// <summary>Closes the file.</summary>
    public void Dispose() => _module.Dispose();

    private static IEnumerable<TypeReference?> Named(TypeDefinition type) =>
    [
        type.BaseType,
        .. type.Interfaces.Select(implemented => implemented.InterfaceType),
        .. type.CustomAttributes.Select(attribute => attribute.AttributeType),
        .. type.Fields.Select(field => field.FieldType),
        .. type.Properties.SelectMany(property => property.CustomAttributes).Select(attribute => attribute.AttributeType),
        .. type.Methods.SelectMany(Named),
    ];

    private static IEnumerable<TypeReference?> Named(MethodDefinition method) =>
    [
        method.ReturnType,
        .. method.Parameters.Select(parameter => parameter.ParameterType),
        .. method.CustomAttributes.Select(attribute => attribute.AttributeType),
        .. method.HasBody
            ? method.Body.Variables.Select(local => local.VariableType).Concat(method.Body.Instructions.SelectMany(Named)) : [],
    ];

    private static IEnumerable<TypeReference?> Named(Instruction instruction) => instruction.Operand switch
    {
        TypeReference type => [type],
        GenericInstanceMethod method => [method.DeclaringType, .. method.GenericArguments],
        MemberReference member => [member.DeclaringType],
        _ => [],
    };

    private static IEnumerable<TypeReference> Parts(TypeReference? type) => type switch
    {
        null or GenericParameter => [],
        GenericInstanceType generic => [generic.ElementType, .. generic.GenericArguments.SelectMany(Parts)],
        TypeSpecification specification => Parts(specification.ElementType),
        _ => [type],
    };

    private static TypeReference Outermost(TypeReference type) => type.DeclaringType is { } outer ? Outermost(outer) : type;
}
