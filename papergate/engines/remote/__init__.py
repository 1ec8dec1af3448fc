"""A server that speaks the OpenAI protocol, asked by a streaming client."""
