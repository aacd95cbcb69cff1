/* everyday.c: what a text that is not about a photo is measured against. */
#include "annotate/annotate.h"

const char *const pd_everyday[PD_EVERYDAY] = {
    "a person",       "a group of people",
    "an animal",      "food on a plate",
    "a building",     "a vehicle",
    "a landscape",    "a room",
    "water",          "a plant",
    "a page of text", "a street",
    "a painting",     "a close-up of an object",
    "the sky",        "a machine",
    "a toy",          "a sport",
    "clothes",        "a tool",
    "a screenshot",   "a night scene",
    "a road",         "furniture",
};
