"""Who answers: one small protocol, several engines."""

from papergate.engines.records import END_OF_THOUGHT, Completion, Engine, EngineIdentity, Finish, Form, Request

__all__ = ["END_OF_THOUGHT", "Completion", "Engine", "EngineIdentity", "Finish", "Form", "Request"]
