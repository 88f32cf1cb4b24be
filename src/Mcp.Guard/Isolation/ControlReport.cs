using System.Globalization;

namespace Mcp.Guard.Isolation;

/// <summary>Collects the state of every control while a plan is made.</summary>
internal sealed class ControlReport
{
    private readonly List<IsolationControlStatus> _controls = [];

    public void InForce(string control, string detail) => _controls.Add(new(control, true, detail));

    public void NotInForce(string control, string detail) => _controls.Add(new(control, false, detail));

    public void Add(string control, bool inForce, string detail, string otherwise) => _controls.Add(new(control, inForce, inForce ? detail : otherwise));

    /// <summary>Reports a limit: not in force where the policy sets none or the machine cannot hold it.</summary>
    public void Limit(string control, long? limit, bool available, string unit, string otherwise)
    {
        if (limit is null)
        {
            NotInForce(control, "the policy sets no limit");
        }
        else
        {
            Add(control, available, $"{limit.Value.ToString(CultureInfo.InvariantCulture)} {unit}", otherwise);
        }
    }

    public List<IsolationControlStatus> ToList() => _controls;
}
