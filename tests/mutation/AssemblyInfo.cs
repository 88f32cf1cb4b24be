[assembly: Mcp.Guard.Tests.Mutation.SafeNames]
[assembly: Mcp.Guard.Tests.Mutation.FirstFailureEnds]
[assembly: NUnit.Framework.LevelOfParallelism(8)] // of the tests that say that they may: they wait more than they work
