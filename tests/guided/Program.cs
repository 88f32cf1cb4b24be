using System.Globalization;
using System.Text;
using Mcp.Guard.Tests.Fuzz;

// Program SECONDS FOLDER [TARGET ...]: each target for so long; inputs that reach something new and inputs that break a promise are written into the folder.
double seconds = double.Parse(args[0], CultureInfo.InvariantCulture);
var reach = new Reach();
int broken = 0;
foreach (FuzzTarget target in FuzzTargets.All.Where(target => args.Length < 3 || args.Skip(2).Contains(target.Name, StringComparer.Ordinal)))
{
    broken += new GuidedRun(target, reach, Directory.CreateDirectory(Path.Combine(args[1], target.Name)).FullName).For(TimeSpan.FromSeconds(seconds));
}

return broken == 0 ? 0 : 1;
