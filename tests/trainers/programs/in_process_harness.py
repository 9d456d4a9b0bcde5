"""A harness that asks the model once, in this process. verifiers' own start a program that uv installs anew."""

import httpx
import verifiers.v1 as vf
from verifiers.v1.runtimes import ProgramResult


class InProcess(vf.Harness[vf.HarnessConfig]):
    APPENDS_SYSTEM_PROMPT = True
    EXECUTES_CODE = False
    NEEDS_CONTAINER = False

    async def launch(self, ctx, trace, runtime, endpoint, secret, mcp_urls, data):
        messages = [{"role": "user", "content": data.prompt_text}]
        async with httpx.AsyncClient(timeout=120) as client:
            reply = await client.post(
                f"{endpoint}/chat/completions",
                json={"model": ctx.model, "messages": messages},
                headers={"Authorization": f"Bearer {secret}"},
            )
        return ProgramResult(0 if reply.is_success else 1, "", reply.text)


__all__ = ["InProcess"]
