// A house with every kind of forbidden edge from One to Two, for the test that the reader of rooms sees each of them.
using KanBots.Sidecar.Tests.Architecture.Samples.Two;

namespace KanBots.Sidecar.Tests.Architecture.Samples.Two
{
    internal class Thing
    {
        internal static int Count() => 2;
    }

    internal interface IShape;

    internal sealed class MarkAttribute : Attribute;

    internal sealed class Refusal : Exception;
}

namespace KanBots.Sidecar.Tests.Architecture.Samples.One
{
    internal sealed class ByBaseType : Thing;

    internal sealed class ByInterface : IShape;

    internal sealed class ByField
    {
        internal readonly object? Kept = Make();

        private static object? Make() => null;

        internal Thing[]? Things { get; set; }
    }

    internal sealed record ByRecordParameter(IReadOnlyDictionary<string, List<Thing>> Things);

    [Mark]
    internal sealed class ByAttribute;

    internal sealed class ByTypeArgument
    {
        internal static int Zero() => Array.Empty<Thing>().Length;
    }

    internal sealed class ByConstraint<T> where T : Thing;

    internal sealed class ByTypeOf
    {
        internal static string Name() => typeof(Thing).Name;
    }

    internal sealed class ByCatch
    {
        internal static int Try(Func<int> work)
        {
            try
            {
                return work();
            }
            catch (Refusal)
            {
                return 0;
            }
        }
    }

    internal sealed class ByLambda
    {
        internal static Func<int, int> Make() => one => one + Thing.Count();
    }

    internal sealed class ByStateMachine
    {
        internal static async Task<int> RunAsync()
        {
            await Task.Yield();
            return Thing.Count();
        }
    }

    internal sealed class ByIterator
    {
        internal static IEnumerable<int> All()
        {
            yield return Thing.Count();
        }
    }

    internal sealed class ByNested
    {
        internal sealed class Inner
        {
            internal static int Count() => Thing.Count();
        }
    }

    internal sealed class WithoutAny
    {
        internal static int Count() => nameof(Thing).Length;
    }
}
