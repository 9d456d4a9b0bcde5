"""Every dialect's routes, for the application's wiring."""

from judge_server.server.dialects import azure, classify, llamafactory, nemo_gym, openrlhf, roll, slime

ROUTERS = (
    openrlhf.router,
    slime.router,
    llamafactory.router,
    azure.router,
    nemo_gym.router,
    classify.router,
    roll.router,
)
