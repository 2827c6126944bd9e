using Mono.Cecil;
using Mono.Cecil.Cil;

namespace KanBots.Sidecar.Tests.Architecture;

/// <summary>One type of one room that names a type of another.</summary>
/// <param name="From">Room of the user.</param>
/// <param name="To">Room of the used.</param>
internal readonly record struct Use(string From, string To, string User, string Used);

/// <summary>Reads which room uses which out of a built assembly, where no <c>using</c>, alias, <c>var</c>, lambda or state machine hides
/// an edge. What it cannot see is an inlined <c>const</c>.</summary>
internal static class RoomReader
{
    /// <param name="roomOf">The room of a type by its namespace; null for what is no room of ours.</param>
    internal static IEnumerable<Use> Read(string assembly, Func<string, string?> roomOf)
    {
        using var module = ModuleDefinition.ReadModule(assembly);
        foreach (var type in module.GetTypes())
        {
            if (roomOf(Outermost(type).Namespace) is not { } from)
            {
                continue;
            }

            var used = new HashSet<TypeReference>();
            Collect(type, reference => Flatten(reference, used));
            foreach (var other in used)
            {
                var outer = Outermost(other);
                if (roomOf(outer.Namespace) is { } to && to != from)
                {
                    yield return new Use(from, to, Outermost(type).FullName, outer.FullName);
                }
            }
        }
    }

    private static TypeReference Outermost(TypeReference type) => type.DeclaringType is { } outer ? Outermost(outer) : type;

    private static void Collect(TypeDefinition type, Action<TypeReference?> see)
    {
        see(type.BaseType);
        Attributes(type, see);
        Parameters(type, see);
        foreach (var implemented in type.Interfaces)
        {
            see(implemented.InterfaceType);
        }

        foreach (var field in type.Fields)
        {
            see(field.FieldType);
            Attributes(field, see);
        }

        foreach (var property in type.Properties)
        {
            see(property.PropertyType);
            Attributes(property, see);
        }

        foreach (var raised in type.Events)
        {
            see(raised.EventType);
        }

        foreach (var method in type.Methods)
        {
            Signature(method, see);
            Attributes(method, see);
            Parameters(method, see);
            foreach (var parameter in method.Parameters)
            {
                Attributes(parameter, see);
            }

            foreach (var replaced in method.Overrides)
            {
                see(replaced.DeclaringType);
            }

            if (method.HasBody)
            {
                Body(method.Body, see);
            }
        }
    }

    private static void Body(MethodBody body, Action<TypeReference?> see)
    {
        foreach (var local in body.Variables)
        {
            see(local.VariableType);
        }

        foreach (var handler in body.ExceptionHandlers)
        {
            see(handler.CatchType);
        }

        foreach (var instruction in body.Instructions)
        {
            switch (instruction.Operand)
            {
                case TypeReference type:
                    see(type);
                    break;
                case MethodReference method:
                    see(method.DeclaringType);
                    Signature(method, see);
                    break;
                case FieldReference field:
                    see(field.DeclaringType);
                    see(field.FieldType);
                    break;
                case CallSite site:
                    Signature(site, see);
                    break;
            }
        }
    }

    private static void Signature(IMethodSignature method, Action<TypeReference?> see)
    {
        see(method.ReturnType);
        foreach (var parameter in method.Parameters)
        {
            see(parameter.ParameterType);
        }

        if (method is GenericInstanceMethod { GenericArguments: var arguments })
        {
            foreach (var argument in arguments)
            {
                see(argument);
            }
        }
    }

    private static void Parameters(IGenericParameterProvider generic, Action<TypeReference?> see)
    {
        foreach (var constraint in generic.GenericParameters.SelectMany(parameter => parameter.Constraints))
        {
            see(constraint.ConstraintType);
        }
    }

    private static void Attributes(ICustomAttributeProvider owner, Action<TypeReference?> see)
    {
        foreach (var attribute in owner.CustomAttributes)
        {
            see(attribute.AttributeType);
            foreach (var argument in attribute.ConstructorArguments.Concat(attribute.Properties.Select(named => named.Argument)))
            {
                see(argument.Value as TypeReference ?? argument.Type);
            }
        }
    }

    private static void Flatten(TypeReference? type, HashSet<TypeReference> into)
    {
        switch (type)
        {
            case null or GenericParameter:
                return;
            case GenericInstanceType generic:
                into.Add(generic.ElementType);
                foreach (var argument in generic.GenericArguments)
                {
                    Flatten(argument, into);
                }

                return;
            case FunctionPointerType pointer:
                Signature(pointer, reference => Flatten(reference, into));
                return;
            case TypeSpecification wrapped:
                Flatten(wrapped.ElementType, into);
                return;
            default:
                into.Add(type);
                return;
        }
    }
}
