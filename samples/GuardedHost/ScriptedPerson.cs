namespace GuardedHost;

/// <summary>Answers as the demonstration wants it: yes to the first question, no to every later one.</summary>
internal sealed class ScriptedPerson(Screen screen) : IPerson
{
    private bool _asked;

    public bool SaysYes()
    {
        bool answer = !_asked;
        _asked = true;
        screen.Answer(answer ? "yes, this once" : "no");
        return answer;
    }
}
