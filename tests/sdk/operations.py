"""Everything beyond conversations through the official clients: vectors, pictures, sound, moderation, token counts, lists.

    python operations.py --base-url http://127.0.0.1:8080 --key KEY --models openai=NAME,anthropic=NAME,gemini=NAME

One line per check and an exit code that is not 0 when one failed, as check.py does.
"""

import argparse
import base64
import io
import math
import sys

import anthropic
import openai
from google import genai
from google.genai import types

import expect
from check import pairs, run_one


class Operations:
    def __init__(self, options):
        base = options.base_url
        self.models = options.models
        self.openai = openai.OpenAI(base_url=f"{base}/v1", api_key=options.key, max_retries=0, timeout=expect.TIMEOUT)
        self.anthropic = anthropic.Anthropic(base_url=base, api_key=options.key, max_retries=0, timeout=expect.TIMEOUT)
        http = types.HttpOptions(base_url=base, timeout=int(expect.TIMEOUT * 1000))
        self.gemini = genai.Client(api_key=options.key, vertexai=False, http_options=http)

    def vectors(self, provider):
        # The client asks for base64 of its own accord and unpacks it.
        answer = self.openai.embeddings.create(model=self.models[provider], input=["one", "two"])
        expect.equal(len(answer.data), 2, "the number of vectors")
        for vector in answer.data:
            length = math.sqrt(sum(number * number for number in vector.embedding))
            assert abs(length - 1) < 1e-3, f"a vector has the length {length}"
        plain = self.openai.embeddings.create(model=self.models[provider], input="one", encoding_format="float")
        for packed, number in zip(answer.data[0].embedding, plain.data[0].embedding):
            assert abs(packed - number) < 1e-5, "packed and plain vectors differ"
        return plain.data[0].embedding

    def check_embeddings_openai(self):
        self.vectors("openai")
        tokens = self.openai.embeddings.create(model=self.models["openai"], input=[[1, 2, 3], [4]])
        expect.equal((len(tokens.data), tokens.usage.prompt_tokens > 0), (2, True), "vectors of tokens")

    def check_embeddings_over_gemini(self):
        self.vectors("gemini")

    def check_embeddings_of_tokens_over_gemini_are_refused(self):
        try:
            self.openai.embeddings.create(model=self.models["gemini"], input=[[1, 2, 3]])
        except openai.BadRequestError as error:
            expect.contains(str(error), "token")
        else:
            raise AssertionError("token numbers of one vendor mean nothing to another")

    def check_embeddings_over_anthropic_are_refused(self):
        try:
            self.openai.embeddings.create(model=self.models["anthropic"], input="one")
        except openai.BadRequestError as error:
            expect.contains(str(error), "embeddings")
        else:
            raise AssertionError("Anthropic has no embeddings")

    def gemini_vectors(self, provider, contents):
        config = types.EmbedContentConfig(task_type="RETRIEVAL_QUERY", output_dimensionality=8)
        answer = self.gemini.models.embed_content(model=self.models[provider], contents=contents, config=config)
        lengths = [len(vector.values) for vector in answer.embeddings]
        expect.equal(lengths, [8] * len(contents), "the lengths of the vectors")

    def check_gemini_embeddings_gemini(self):
        # For names like this the client makes one vector of all contents.
        self.gemini_vectors("gemini", ["one"])

    def check_gemini_embeddings_over_openai(self):
        self.gemini_vectors("openai", ["one", "two"])

    def check_images(self):
        drawn = self.openai.images.generate(model=self.models["openai"], prompt="a ship", n=2)
        expect.equal([base64.b64decode(image.b64_json)[:4] for image in drawn.data], [b"\x89PNG"] * 2, "the pictures")
        picture = ("ship.png", base64.b64decode(expect.PNG), "image/png")
        edited = self.openai.images.edit(model=self.models["openai"], image=[picture, picture], prompt="redder")
        expect.equal(len(edited.data), 1, "the number of edited pictures")
        varied = self.openai.images.create_variation(model=self.models["openai"], image=picture)
        expect.equal(len(varied.data), 1, "the number of variations")

    def check_speech(self):
        with self.openai.audio.speech.with_streaming_response.create(
            model=self.models["openai"], voice="alloy", input="x" * 400, response_format="wav"
        ) as answer:
            expect.equal(answer.headers["content-type"], "audio/wav", "the type")
            sound = b"".join(answer.iter_bytes())
        expect.equal((sound[:4], len(sound) > 100_000), (b"RIFF", True), "the sound")

    def check_transcription(self):
        for make in (self.openai.audio.transcriptions.create, self.openai.audio.translations.create):
            heard = make(model=self.models["openai"], file=("a.wav", io.BytesIO(b"RIFF" * 1000)))
            expect.contains(heard.text, "4000 bytes")
            srt = make(model=self.models["openai"], file=("a.wav", io.BytesIO(b"RIFF")), response_format="srt")
            expect.contains(str(srt), "-->")

    def check_moderation(self):
        judged = self.openai.moderations.create(model=self.models["openai"], input="violence")
        expect.equal(judged.results[0].flagged, True, "the judgement")

    def check_anthropic_count(self):
        for provider in self.models:
            counted = self.anthropic.messages.count_tokens(
                model=self.models[provider], messages=[{"role": "user", "content": "How many tokens?"}]
            )
            assert 3 < counted.input_tokens < 40, f"{provider}: {counted.input_tokens}"

    def check_gemini_count(self):
        for provider in self.models:
            counted = self.gemini.models.count_tokens(model=self.models[provider], contents="How many tokens?")
            assert 3 < counted.total_tokens < 40, f"{provider}: {counted.total_tokens}"

    def check_lists(self):
        wanted = set(self.models.values())
        expect.equal(wanted - {model.id for model in self.openai.models.list()}, set(), "missing for OpenAI")
        expect.equal(wanted - {model.id for model in self.anthropic.models.list()}, set(), "missing for Anthropic")
        names = {model.name.removeprefix("models/") for model in self.gemini.models.list()}
        expect.equal(wanted - names, set(), "missing for Gemini")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--models", type=pairs, required=True)
    options = parser.parse_args()
    suite = Operations(options)
    outcomes = [
        run_one(name.removeprefix("check_"), getattr(suite, name), True)
        for name in sorted(dir(suite))
        if name.startswith("check_")
    ]
    print(f"{outcomes.count(True)} passed, {outcomes.count(False)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
