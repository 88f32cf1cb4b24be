namespace GuardedHost;

/// <summary>Who answers the prompts: a person at the keyboard, or the script of the demonstration.</summary>
internal interface IPerson
{
    bool SaysYes();
}
