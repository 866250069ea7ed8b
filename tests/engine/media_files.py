"""Real media of many formats, made on the spot with PyAV."""

from fractions import Fraction

import av
import numpy as np


def sweep(rate, channels, seconds, seed=0):
    """Rising tones with some noise (channels, samples): no two stretches are alike, so lags show."""
    t = np.arange(int(rate * seconds)) / rate
    noise = np.random.default_rng(seed).standard_normal((channels, len(t)))
    tones = [0.3 * np.sin(2 * np.pi * 200 * (c + 1) * t * (1 + 0.05 * t)) for c in range(channels)]
    return (np.stack(tones) + 0.05 * noise).astype(np.float32)


def write_audio(path, codec, x, rate=48000, layout="stereo", options=None, start=0, picture=False, mux=None):
    """Encode `x` (channels, samples), its first sample at time stamp `start`; `picture` adds 24 fps H.264."""
    with av.open(str(path), "w", options=mux or {}) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout, options=options or {})
        video = _video_stream(container, "libx264", Fraction(24), 64, 48, {"g": "12"}) if picture else None
        container.start_encoding()
        frame = av.AudioFrame.from_ndarray(x, format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        size = stream.codec_context.frame_size or 1024
        to_codec = av.AudioResampler(
            format=stream.codec_context.format.name, layout=layout, rate=rate, frame_size=size
        )
        count = 0
        for part in [*to_codec.resample(frame), *to_codec.resample(None)]:
            while video is not None and count < 24 * part.pts / rate:
                container.mux(video.encode(grey_frame(count, 64, 48, Fraction(24))))
                count += 1
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
        if video is not None:
            container.mux(video.encode(None))
    return path


def _video_stream(container, codec, rate, width, height, options, pix_fmt="yuv420p"):
    stream = container.add_stream(codec, rate=rate, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
    stream.codec_context.time_base = 1 / rate
    return stream


def grey_frame(number, width, height, rate):
    """A frame whose blocks spell `number` in binary, so that it can be told after lossy coding."""
    bits = [(number >> bit) & 1 for bit in range(12)]
    pixels = np.zeros((height, width, 3), np.uint8)
    for bit, lit in enumerate(bits):
        row, column = divmod(bit, 4)
        pixels[
            row * height // 3 : (row + 1) * height // 3, column * width // 4 : (column + 1) * width // 4
        ] = 255 * lit
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    frame.pts, frame.time_base = number, 1 / rate
    return frame


def read_number(picture):
    """The number a picture of `grey_frame` spells."""
    height, width = picture.shape[:2]
    return sum(
        int(picture[(2 * (bit // 4) + 1) * height // 6, (2 * (bit % 4) + 1) * width // 8].mean() > 127) << bit
        for bit in range(12)
    )


def write_video(
    path, frames, rate=Fraction(24), codec="libx264", gop=24, options=None, pix_fmt="yuv420p", stamps=None
):
    """`frames` numbered pictures of 64 x 48; `stamps` replaces their running time stamps."""
    with av.open(str(path), "w") as container:
        stream = _video_stream(
            container, codec, rate, 64, 48, {"g": str(gop), "sc_threshold": "0", **(options or {})}, pix_fmt
        )
        for number in range(frames):
            frame = grey_frame(number, 64, 48, rate)
            frame.pts = number if stamps is None else stamps[number]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_mxf(path, x, frames):
    """OP1a MXF at 25 fps: MPEG-2 picture and one mono PCM stream per channel of `x`."""
    rate = Fraction(25)
    with av.open(str(path), "w") as container:
        video = _video_stream(container, "mpeg2video", rate, 64, 48, {})
        streams = [container.add_stream("pcm_s16le", rate=48000, layout="mono") for _ in x]
        container.start_encoding()
        for number in range(frames):
            container.mux(video.encode(grey_frame(number, 64, 48, rate)))
            for channel, stream in enumerate(streams):
                part = x[channel : channel + 1, number * 1920 : (number + 1) * 1920]
                frame = av.AudioFrame.from_ndarray(np.rint(part * 32768).astype(np.int16), "s16", "mono")
                frame.sample_rate, frame.pts, frame.time_base = 48000, number * 1920, Fraction(1, 48000)
                container.mux(stream.encode(frame))
        for stream in [video, *streams]:
            container.mux(stream.encode(None))
    return path
