namespace Mcp.Guard.Stages.ResultSanitizing;

/// <summary>
/// Wording that speaks to the model instead of describing: it overrides, conceals, asks for secrets or for other tools, or changes the
/// model's role. English, and one phrase of four other languages. Measured in docs/content.md; written from what such texts have to say, not from any list of them.
/// Anchors are rare words, so that ordinary text is seldom looked at twice.
/// </summary>
internal static class InstructionRules
{
    private const string Told = "instruct~|rules|prompt|prompts|guidelines|guideline|directions|directives|directive|commands|programming|restrictions|constraints|policies|safeguards|guardrails|filters|training|ethics|checks|protocols|protocol|assignment|alignment|orders";
    private const string Earlier = "previous|prior|above|earlier|preceding|all|your|these|those|any|other|system|safety|existing|original|initial|content|former|foregoing|current|my|security";
    private const string Ask = "type|enter|provide|tell|give|share|paste|submit|reply|send|confirm|supply";
    private const string Leak = "reveal|print|repeat|output|leak|expose|dump|disclose|recite|display|show|tell|give|share|send|include|paste|write|summarize|translate|what|what's|whats|encode|see|describe|quote|copy";

    /// <summary>The words of all rules.</summary>
    public static WordVocabulary Vocabulary { get; } = new();

    public static WordingRule[] All { get; } =
    [.. ((string[])
    [
        // Overriding what was said before.
        $"ignore|disregard|forget|override|bypass|discard|overwrite|circumvent *3 {Earlier} *3 {Told}",
        "ignore|disregard|forget ?about everything|anything *4 told|said|above|before|instructed|previously|learned|know|wrote|given",
        $"ignore|disregard|forget ?all|any ?the|of|your *1 {Told} *2 above|before|previously|given|and|from|you",
        "ignore|disregard|forget ?all ?of ?the above|foregoing|preceding|aforementioned",
        $"disregard|disobey *1 {Told}",
        $"you|your << ignore|bypass|break|violate *1 {Told}",
        "real_instructions|real_task|actual_instructions|actual_task|true_instructions|true_task|real_system_prompt|real_goal *1 is|are *2 to|follow",
        "override|overriding ?the|your|all|any instructions|prompt|guidelines|guardrails|safeguards you|and|now",
        "you << bypass|evade|circumvent the|your|all|any filter|filters|moderation|censorship",
        "disable|deactivate|turn_off ?the|all|your guard|guards|guardrails|safeguards|approvals",
        "ignore|disregard ?the user|users|human and|completely|entirely|instead",
        "told me|us to tell|ask|instruct|order you",
        "above_instructions|previous_instructions|prior_instructions|earlier_instructions *3 wrong|invalid|void|outdated|obsolete|false|cancelled|canceled|replaced|expired|test",
        "removing|remove|disable|disabling|unlock|lift *2 safety|content|ethical *1 training|constraints|filter|filters|restrictions|guardrails|limits|limitations|guidelines",
        $"not follow|obey << {Told}",
        $"not_follow|longer_follow|not_obey|stop_following|n't_follow *2 {Earlier} *2 {Told}",
        "stop_what you|you're|you_are|you_were *1 doing",
        "ignorez|ignore|ignorer|oubliez|oublie << les_instructions|les_consignes|les_directives",
        "ignora|ignore|ignorad|ignoren|olvida|olvide|olvidad << las_instrucciones|instrucciones_anteriores|instrucciones_previas",
        "ignoriere|ignorieren|ignoriert|vergiss|vergesst|missachte|missachten << anweisungen|instruktionen|vorgaben",
        "ignora|ignorate|ignori|dimentica|dimenticate << le_istruzioni|istruzioni_precedenti",
        "these|this|following|my << override|overrides|supersede|supersedes|outrank *5 other|others|previous|prior|all|those|any",
        "your_new goal|role|task|instructions|objective|identity|purpose|persona|mission|directive is|are|as",
        "new_task|new_instructions|new_instruction|new_directive|new_objective|new_role|updated_instructions|real_instructions|actual_task from|for|is|you|are|follow *2 user|admin|administrator|developer|system|operator|owner|ai|assistant|you|are|a",
        "new_role|new_instructions|new_instruction you|ignore|do|always|respond|from",
        "system_override|admin_override|override_code|override_mode|sudo_mode|god_mode|dan_mode|do_anything_now|jailbroken|jailbreak_mode",
        "administrator_override|developer_override",
        "developer_mode|debug_mode|admin_mode override|overrides",
        "unlock|unlocked your capabilities|abilities|restrictions",
        "maintenance_mode|debug_mode|developer_mode|admin_mode|root_mode|unrestricted_mode|training_mode ?is|has|been ?been|now enabled|activated|engaged|active|now|output",
        "you|now|are|in|enter|entering << maintenance_mode|developer_mode|unrestricted_mode|dan_mode|jailbreak_mode",

        // Another role.
        "you_are_now|you're_now|you_will_now *3 dan|unrestricted|jailbroken|unfiltered|uncensored|evil|free|hacker|assistant|ai|model|bot|persona|character|admin|authorized|permitted|going|act|act~",
        "you|your|act|behave|respond|pretend|roleplay|imagine|ai|model|assistant << no_restrictions|no_rules|no_filters|no_limits|no_limitations|no_ethical|no_moral|without_restrictions|without_any_restrictions|without_filters|without_limitations|without_rules",
        "you|your|act|behave|respond|pretend|roleplay|imagine|as|an << unrestricted|unfiltered|uncensored|amoral ai|model|assistant|mode|response~|version|chatbot|language|gpt",
        "pretend|roleplay|role-play|impersonate *4 dan|admin|administrator|developer|root|hacker|unrestricted|evil|opposite|stan|jailbroken|no|not|without|grandmother|different",
        "from_now_on|henceforth *3 you|your|always|never|respond|act|answer|treat|ignore",
        "act_as|answer_as|respond_as ?a|an|if|the|my *2 dan|unrestricted|hacker|root|admin|administrator|evil|jailbroken|terminal|stan|dude",
        "stay_in_character|break_character|disable_safety|bypass_safety|evade_detection|ignore_safety|ethical_guidelines *1",
        "anti-dan|antidan|stan|dude *6 norms|character|anything|mode",

        // What the model was told before.
        $"{Leak} << system_prompt|hidden_prompt|initial_prompt|original_prompt|secret_prompt|system_instructions|initial_instructions|hidden_instructions|original_instructions|system_message|secret_instructions|developer_message|internal_instructions|confidential_instructions",
        "continue|complete|finish << system_prompt|hidden_prompt|initial_prompt|original_prompt",
        "what|which << were_you_told|were_you_instructed|were_you_given|are_you_instructed",
        "what|which you << supposed to tell|reveal|disclose|share|say",
        "my_instructions|my_system_prompt|my_initial_prompt are|is|say",
        $"{Leak} << your_instructions|your_prompt|your_rules|your_system|your_initial|your_hidden|your_original|your_guidelines|your_configuration",
        $"{Leak} << you_were_given|you_were_told|you_have_been_given|starting_instructions|initialization_string",
        "repeat|print|output|recite *3 everything|words|text|sentences *2 above|before|prior|preceding",
        "repeat|recite ?all|the above|preceding|previous|foregoing text|words|sentences|instructions|prompt|message",

        // Concealment.
        "not_tell|n't_tell|never_tell|not_inform|not_notify|not_alert|never_inform|without_telling|without_informing|n't_inform|n't_let *2 user|users|human|humans|anyone|anybody|operator",
        "not_mention|never_mention|n't_mention|not_disclose|never_disclose|never_reveal|not_reveal *2 this|these|that|it|the *3 user|users|anyone|tool|instruct~|step|note|action|call|message",
        "never_mention|not_mention|n't_mention this|it|that",
        "secretly|silently|covertly|discreetly send|forward|call|read|copy|upload|exfiltrate|include|append|add|execute|run|email|post|transmit|collect|log|record|steal|capture",
        "without_the_user's|without_user|without_asking|hide_this|hidden_from|keep_this *2 knowledge|consent|knowing|awareness|from|user|secret|permission|hidden",

        // Consent.
        "consent|approval|confirmation ?is|was *2 asked|requested|required|needed *3 answer|say|reply|respond|approve|yes|accept",
        "always_approve|always_confirm|always_accept|always_allow|always_grant|automatically_approve|auto_approve tool|tools|all|every|any|request|requests|calls|this",
        "skip|bypass|ignore|circumvent|disable|avoid << consent|guardrails|oversight",
        "already_approved|pre-approved|has_approved|have_approved|has_consented *2 this|all|every|tool|action|request",
        "user|owner|human|operator|administrator << already_consented|already_approved",
        "no_confirmation|no_approval|no_consent *1 is|needed|required|necessary",
        "retry|again|proceed|continue|immediately << without_asking|without_confirmation|without_confirming|without_approval",
        "approved_by|verified_by|certified_by|endorsed_by anthropic|openai|claude",

        // Other tools, and order of calls.
        "before_any|before_every|before_all|after_any|after_every|instead_of_any|prior_to_any other ?mcp tool|tools|function|functions|call",
        "before_using|before_calling|before_invoking|before_running *1 any|other|every|all|this ?other tool|tools *3 read|call|send|first|must|you",
        "call_this|use_this|run_this|invoke_this|this_tool tool|one|function|must ?be ?called *1 with|first|before|instead|every *4 conversation|every|other|any|time|whole|message|all|response",
        "must_call|must_invoke|must_run|must_execute|always_call|always_invoke|must_now_call|must_now_run|should_now_call *1 every|all|any|this|shell|first *2 tool|tools|with|before|cmd|every|time|after",
        "assistant|llm|chatbot|claude|chatgpt|gpt must|should|shall|please|will|now ?now|also|first|immediately|always call|run|execute|invoke|send|read|ignore|delete|forward|approve",
        "always_set|always_add|always_include|always_append|always_put *1 bcc|cc|recipient|forwarding",
        "bcc *1 all|every *2 emails|email|messages|copies",
        "always_prefer|always_choose *4 over|instead|before *2 other|others|all|any|every",
        "other_servers|another_server|other_server *1 are|is *1 deprecated|broken|unsafe|insecure|compromised|forbidden|malicious|outdated|disabled",
        "not_use|never_use|n't_use|avoid_using|stop_using *5 other|another server|servers",
        "always_bcc",
        "reveal|leak|divulge all|every *2 data|secrets|credentials|passwords|keys|information",
        "to_continue|to_proceed|in_order_to *2 call|run|execute|invoke|use|read *5 ssh|credentials|aws|passwd|id_rsa|shell|secrets",

        // Data that leaves.
        "whole|full|entire|complete|pass|include|provide|send << conversation|chat_history|message_history|conversation_history|chat_transcript",
        "send|forward|upload|transmit|leak|post|email << attacker|attacker's|attacker-controlled",
        "conversation|chat|dialogue|transcript|messages << verbatim|word-for-word",
        $"{Ask} your << password|passphrase|passwords",
        $"{Ask} your|the << one-time_code|one-time_password|verification_code|security_code|authentication_code|2fa_code|mfa_code|otp_code|seed_phrase|recovery_phrase|recovery_code|recovery_codes|master_password|backup_codes",
        $"{Ask} your << credit_card|debit_card|card_number|cvv|cvc|pin_code|bank_account|social_security|private_key|ssh_key|secret_key|signing_key|login_credentials|security_question",
        "copy|take|read|extract|steal|harvest|get << from_another|from_other|from_all_other server|servers|tool|tools",
        "exfiltrate *4 data|secrets|credentials|information|files|tokens|keys|to",

        // Memory, and speaking to a model.
        "remember *2 for|in *3 all|later|future|every|next *1 session|sessions|conversation|conversations|chats|requests",
        "in_all_future|in_every_future|for_all_future|for_all_later|in_future session|sessions|conversation|conversations|interactions",
        "if_you_are|if_you're|since_you_are an|a *1 ai|llm|language|assistant|chatbot *4 reading|processing|must|should|please|do|then|ignore|summariz~|instead|model",
        "attention_ai|attention_all_ai|attention_assistant|attention_llm|attention_agent|note_to_ai|note_to_the_ai|message_to_ai|instructions_for_ai|instruction_to_ai|instructions_to_ai|hey_ai|dear_ai|note_for_ai *1",
        "message_to|message_for|notice_to|attention|instructions_for ?all|any|every|the llm|llms|chatbots",
        "message_to|message_for|note_to|note_for|notice_to|attention|instructions_for ?all|any|every|the language|ai model|models|agent|agents|assistant|assistants",
        "decode *6 execute|follow|obey",
        "decode *6 real|actual|true|hidden task|instructions|instruction|goal|prompt",
    ]).Select(pattern => new WordingRule(pattern, Vocabulary))];

    /// <summary>Marks that have no use but to stand out to a model.</summary>
    public static string[] Literals { get; } = ["<important>", "{{system}}", "[system message", "powershell -enc", "powershell.exe -enc", "[admin override", "<hidden>", "[[system"];
}
