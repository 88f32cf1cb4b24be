namespace Mcp.Guard.Isolation;

/// <summary>The environment a server gets: what the policy lists, and defaults where it says nothing. Nothing comes from the host's environment here.</summary>
internal sealed class EnvironmentBuilder(IReadOnlyList<IsolationVariable> fromPolicy)
{
    /// <summary>Folders of the system's programs.</summary>
    public const string SystemPath = "/usr/local/bin:/usr/bin:/bin";

    private readonly List<IsolationVariable> _variables = [.. fromPolicy];

    /// <summary>Adds a variable unless the policy gives it.</summary>
    public void AddDefault(string name, string value)
    {
        if (!_variables.Exists(variable => variable.Name == name))
        {
            _variables.Add(new IsolationVariable(name, value));
        }
    }

    /// <summary>The variables, with one set whatever the policy says.</summary>
    public List<IsolationVariable> With(string name, string value)
    {
        _variables.RemoveAll(variable => variable.Name == name);
        _variables.Add(new IsolationVariable(name, value));
        return _variables;
    }

    public List<IsolationVariable> ToList() => _variables;
}
