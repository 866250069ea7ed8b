"""Sound, pictures and models. Knows neither timelines nor windows."""

from .privacy import keep_quiet

keep_quiet()
