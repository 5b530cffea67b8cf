/* Every ceiling of the program, with its unit and its reason.  Each has a test that reaches it. */
#pragma once

#define ICE_MESSAGE_MAX (64u << 20) /* bytes of one Ice message; OMERO's own grid template allows 65,536 KiB */
#define ICE_DEPTH_MAX 64u           /* levels of sequence, struct or class within one another; OMERO's graphs need about 20 */
#define ICE_INSTANCES_MAX (4u << 20) /* class instances in one encapsulation: 20,000 links bring about 400,000 */
#define ICE_ARENA_MAX (1u << 30)    /* bytes that decoding one message may take; C values are larger than their wire form */
#define ICE_IN_FLIGHT_MAX 1024u     /* requests of one connection without a taken reply; a worker has a handful */
#define CARD_MAX_BYTES (1u << 20)   /* a person wrote it; anything larger is no card */
