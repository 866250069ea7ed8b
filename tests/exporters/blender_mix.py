"""Run inside Blender: lay an OTIO file's audio clips on the sequencer and mix them down to a float WAV.

blender -b --factory-startup --python blender_mix.py -- TIMELINE.otio OUT.wav FPS_NUM FPS_DEN
"""

import json
import sys
from pathlib import Path
from urllib.parse import unquote

import bpy


def frames(time):
    return round(time["value"])


def main(path, out, num, den):
    timeline = json.loads(Path(path).read_text(encoding="utf-8"))
    scene = bpy.context.scene
    nominal = round(num / den)
    scene.render.fps, scene.render.fps_base = nominal, nominal * den / num
    scene.render.ffmpeg.audio_mixrate = 48000
    scene.render.ffmpeg.audio_channels = "STEREO"
    strips = scene.sequence_editor_create().sequences
    end = 0
    for channel, track in enumerate(timeline["tracks"]["children"], start=1):
        position = 0
        for item in track["children"]:
            source, length = (frames(item["source_range"][key]) for key in ("start_time", "duration"))
            if item["OTIO_SCHEMA"].startswith("Clip"):
                reference = item["media_references"]["DEFAULT_MEDIA"]
                file = unquote(reference["target_url"].removeprefix("file://"))
                strip = strips.new_sound(item["name"], file, channel, position - source)
                strip.frame_offset_start = source
                strip.frame_final_duration = length
            position += length
        end = max(end, position)
    scene.frame_start, scene.frame_end = 0, end
    bpy.ops.sound.mixdown(filepath=out, container="WAV", codec="PCM", format="F32", accuracy=1024)


arguments = sys.argv[sys.argv.index("--") + 1 :]
main(arguments[0], arguments[1], int(arguments[2]), int(arguments[3]))
