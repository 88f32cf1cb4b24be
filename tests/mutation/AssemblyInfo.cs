[assembly: Mcp.Guard.Tests.Mutation.SafeNames]
[assembly: Mcp.Guard.Tests.Mutation.FirstFailureEnds]
