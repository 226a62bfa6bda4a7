import type { Page } from "@playwright/test";
import gifenc from "gifenc";
import { PNG } from "pngjs";

const { applyPalette, GIFEncoder, quantize } = gifenc;

const COLOURS = 255; // and one for what stays as it was
const TRANSPARENT = 255;

/** Pictures of a page, one after the other, as an animated GIF. */
export class Film {
  readonly #frames: { image: PNG; seconds: number }[] = [];

  constructor(readonly page: Page) {}

  /** Takes a picture, which is shown for some time. */
  async take(seconds: number): Promise<void> {
    const image = PNG.sync.read(await this.page.screenshot());
    this.#frames.push({ image, seconds });
  }

  /** All of them with one palette; of each, only what is not as in the one before. */
  gif(): Uint8Array {
    const [first] = this.#frames;
    if (!first) throw new Error("There is no picture");
    const { width, height } = first.image;
    const palette = quantize(Buffer.concat(this.#frames.map(({ image }) => image.data)), COLOURS);
    const gif = GIFEncoder();
    let before: Uint8Array | undefined;
    for (const { image, seconds } of this.#frames) {
      const pixels = applyPalette(image.data, palette);
      const changed = pixels.map((colour, at) => (colour === before?.[at] ? TRANSPARENT : colour));
      gif.writeFrame(changed, width, height, {
        delay: seconds * 1000,
        transparent: before !== undefined,
        transparentIndex: TRANSPARENT,
        dispose: 1,
        ...(before ? {} : { palette: padded(palette) }),
      });
      before = pixels;
    }
    gif.finish();
    return gif.bytes();
  }
}

/** A palette of 256 colours, so that the last one is free. */
function padded(palette: number[][]): number[][] {
  return [...palette, ...Array.from({ length: 256 - palette.length }, () => [0, 0, 0])];
}
