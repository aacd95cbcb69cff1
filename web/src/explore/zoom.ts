// Looking closer: one picture in one frame. Scale 1 is one pixel of the picture on one pixel of the screen, so it is
// `1 / devicePixelRatio` CSS px. The place is the offset of the picture's middle from the frame's, in CSS px.

export interface Frame {
  width: number; // of the frame, CSS px
  height: number;
  photoWidth: number; // of the picture, its own pixels
  photoHeight: number;
  dpr: number;
}

export interface Look {
  fit: boolean;
  scale: number;
  x: number;
  y: number;
}

const SCALE_MAX = 8; // a pixel is then 8 x 8
const STEP = 1.5; // of a key or a button

/** The scale at which all is seen. Small pictures are not enlarged. */
export function fitScale(frame: Frame): number {
  const { width, height, photoWidth, photoHeight, dpr } = frame;
  if (photoWidth <= 0 || photoHeight <= 0 || width <= 0 || height <= 0) return 1;
  return Math.min(1, (width * dpr) / photoWidth, (height * dpr) / photoHeight);
}

export function fitted(frame: Frame): Look {
  return { fit: true, scale: fitScale(frame), x: 0, y: 0 };
}

/** Keeps the picture in the frame: no empty edge where it is larger, in the middle where it is smaller. */
export function held(frame: Frame, look: Look): Look {
  if (look.fit) return fitted(frame);
  const scale = Math.max(fitScale(frame), Math.min(Math.max(SCALE_MAX, fitScale(frame)), look.scale));
  const room = (photo: number, size: number) => Math.max(0, ((photo * scale) / frame.dpr - size) / 2);
  const within = (value: number, max: number) => Math.max(-max, Math.min(max, value)) || 0;
  return {
    fit: scale <= fitScale(frame),
    scale,
    x: within(look.x, room(frame.photoWidth, frame.width)),
    y: within(look.y, room(frame.photoHeight, frame.height)),
  };
}

/** Goes to `scale`; what is under the point (CSS px from the frame's middle) stays under it. */
export function zoomTo(frame: Frame, look: Look, scale: number, atX = 0, atY = 0): Look {
  const to = Math.max(fitScale(frame), Math.min(SCALE_MAX, scale));
  const by = to / look.scale;
  return held(frame, { fit: to <= fitScale(frame), scale: to, x: atX - (atX - look.x) * by, y: atY - (atY - look.y) * by });
}

export function zoomBy(frame: Frame, look: Look, steps: number, atX = 0, atY = 0): Look {
  return zoomTo(frame, look, look.scale * STEP ** steps, atX, atY);
}

/** Every pixel, or all of it. */
export function toggled(frame: Frame, look: Look, atX = 0, atY = 0): Look {
  return look.fit && fitScale(frame) < 1 ? zoomTo(frame, look, 1, atX, atY) : look.fit ? zoomTo(frame, look, 2, atX, atY) : fitted(frame);
}

export function panned(frame: Frame, look: Look, byX: number, byY: number): Look {
  return held(frame, { ...look, x: look.x + byX, y: look.y + byY });
}

export function lookWords(frame: Frame, look: Look): string {
  const share = `${Math.round(look.scale * 100)} %`;
  return look.fit && fitScale(frame) < 1 ? `Fit, ${share}` : share;
}

const SIZES = [640, 1024, 1440, 2048, 2880, 4096, 6144, 8192, 16384]; // few, so that the server's cache is met again
const SIZE_LEAST = 320;

/** Long side of the rendition that serves a look: the next step above what the screen shows, at most the picture's own. */
export function renditionSize(frame: Frame, look: Look): number {
  const long = Math.max(frame.photoWidth, frame.photoHeight);
  const shown = long * Math.min(1, look.scale);
  const wanted = SIZES.find((size) => size >= shown) ?? SIZES[SIZES.length - 1]!;
  return Math.max(SIZE_LEAST, Math.min(wanted, SIZES[SIZES.length - 1]!));
}
