/* table.h - text in columns. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 10
#define TABLE_ROWS_MAX 40

struct table {
	size_t columns;
	size_t rows;
	char *cells[TABLE_ROWS_MAX][TABLE_COLUMNS_MAX];
};

/* Start a table with this many columns. The first row is the head. */
void table_init(struct table *table, size_t columns);
/* One row of @table->columns texts, copied. */
void table_add(struct table *table, const char *const *texts);
/* Write it, then free the copies. */
void table_write(struct table *table, FILE *file);

#endif
