/* fuzz.h - what the fuzz targets have in common.
 *
 * A target is a file that has LLVMFuzzerTestOneInput(): bytes in, and a property
 * of the library that must hold whatever they are. It is linked either with
 * libFuzzer, which makes up bytes, or with replay.c, which reads them from files. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Unlike assert(), there in every build. */
#define REQUIRE(fact)                                                                              \
	do {                                                                                       \
		if (!(fact)) {                                                                     \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #fact);  \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#endif
