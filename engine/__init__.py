"""Sound, pictures and models. Knows neither timelines nor windows."""
