#include "ranks.h"

#include <math.h>
#include <stdbool.h>

double rank_percent(unsigned rank)
{
	return 100 - 100 / pow(10, (double)rank / RANKS_PER_DECADE);
}

void ranks_of(const struct histogram *histogram, double values_us[RANKS])
{
	double count = (double)histogram->count;
	unsigned rank;

	for (rank = 0; rank < RANKS; rank++) {
		double percent = rank_percent(rank);
		bool known = count * (100 - percent) >= 100;

		values_us[rank] = known ? histogram_percentile_us(histogram, percent) : (double)NAN;
	}
}
