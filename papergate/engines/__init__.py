"""Who answers: one small protocol, several engines."""
