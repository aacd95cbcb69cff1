// What the case file says of a photograph, part by part. What is not known has no line.

import type { Photo } from '../types.ts';
import { bytes } from '../words.ts';
import { exposureWords, folderOf, momentWords, placeWords, sizeWords, takenWords } from './words.ts';

export interface Fact {
  key: string;
  value: string;
  note?: string; // smaller, below
  copy?: string; // what a copy button takes
  mono?: boolean;
}

type Given = Fact | null | false | undefined;

const only = (facts: Given[]): Fact[] => facts.filter((fact): fact is Fact => !!fact);

// What makers append to their name: "OLYMPUS OPTICAL CO.,LTD", "NIKON CORPORATION".
const FIRM = /[\s,]+(optical|imaging|co\.?\s*,?\s*ltd\.?|corporation|corp\.?|company|electric|computer|inc\.?|ltd\.?)(?=[\s,.]|$)/gi;

/** The same of make and model in one: "NIKON COOLPIX P6000" as "Nikon COOLPIX P6000". */
export function cameraLabel(value: string): string {
  const label = value.replace(FIRM, '').trim();
  return label.replace(/^[A-Z]{4,}(?=\s)/, (name) => name[0]! + name.slice(1).toLowerCase());
}

/** "Canon EOS D60", where the maker says its name again in the model; "Olympus C720UZ", where it shouts. */
export function cameraWords(make: string | null, model: string | null): string | null {
  make = make?.replace(FIRM, '').trim() || null;
  if (make && /^[A-Z]{4,}$/.test(make)) make = make[0]! + make.slice(1).toLowerCase();
  if (!make || !model) return model ?? make;
  const brand = make.split(/\s+/)[0]!.toLowerCase();
  return model.toLowerCase().startsWith(brand) ? model : `${make} ${model}`;
}

/** What the file says of its worth: 0 and nothing are no rating, below that it was rejected. */
export function ratingWords(rating: number | null): string | null {
  if (rating === null || rating === 0) return null;
  return rating < 0 ? 'Rejected' : `${rating} of 5`;
}

/** What people wrote into the file with another program. */
export function writtenFacts(photo: Photo): Fact[] {
  const persons = photo.persons ?? [];
  const rating = photo.work?.rating_by === 'user' ? null : ratingWords(photo.rating); // what the reader gives stands under what he says
  return only([
    !!photo.title && { key: 'Title', value: photo.title },
    !!photo.description && photo.description !== photo.title && { key: 'Description', value: photo.description },
    persons.length > 0 && { key: persons.length === 1 ? 'Person' : 'Persons', value: persons.join(', ') },
    rating !== null && { key: 'Rating', value: rating },
  ]);
}

export function cameraFacts(photo: Photo): Fact[] {
  const taken = takenWords(photo.taken);
  const camera = cameraWords(photo.make, photo.model);
  const exposure = [
    photo.exposure_s !== null && photo.exposure_s > 0 && exposureWords(photo.exposure_s),
    photo.fnumber !== null && photo.fnumber > 0 && `f/${Number(photo.fnumber.toFixed(1))}`,
    photo.iso !== null && photo.iso > 0 && `ISO ${photo.iso}`,
  ].filter((part) => part !== false);
  const focal = photo.focal_mm !== null && photo.focal_mm > 0 ? `${Number(photo.focal_mm.toFixed(1))} mm` : false;
  return only([
    taken && { key: 'Taken', value: taken.long, ...(photo.taken_source === 'file' ? { note: "the file's own time; the camera wrote none" } : photo.taken_source === 'xmp' ? { note: 'from XMP' } : {}) },
    camera !== null && { key: 'Camera', value: camera },
    photo.lens !== null && { key: 'Lens', value: photo.lens },
    (exposure.length > 0 || focal !== false) && { key: 'Exposure', value: [...exposure, focal].filter((part) => part !== false).join('   ') },
    photo.gps && { key: 'Place', value: placeWords(photo.gps.lat, photo.gps.lon, photo.gps.alt), copy: `${photo.gps.lat}, ${photo.gps.lon}` },
  ]);
}

/** `short` writes a path as the reader would. */
export function fileFacts(photo: Photo, short: (path: string) => string = (path) => path): Fact[] {
  return only([
    { key: 'Name', value: photo.name, copy: photo.path },
    { key: 'Folder', value: short(folderOf(photo.path)) },
    photo.width > 0 && { key: 'Picture', value: sizeWords(photo.width, photo.height) },
    { key: 'File', value: `${photo.type.toUpperCase()}, ${bytes(photo.bytes)}` },
    photo.learned && { key: 'Learned', value: momentWords(photo.learned.at), note: `by the model ${photo.learned.model}` },
    !!photo.sha256 && { key: 'SHA-256', value: photo.sha256, copy: photo.sha256, mono: true },
  ]);
}
