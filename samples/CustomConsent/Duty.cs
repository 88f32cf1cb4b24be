namespace CustomConsent;

/// <summary>Who is on duty, and (because this is a sample) what that person will say.</summary>
internal sealed class Duty
{
    public string? Person { get; set; }

    public string Says { get; set; } = "no";

    public int Asked { get; set; }
}
