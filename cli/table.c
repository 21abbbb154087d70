/* table.c - text in columns. */
#include "table.h"

#include <stdlib.h>
#include <string.h>

void table_init(struct table *table, size_t columns)
{
	*table = (struct table){.columns = columns};
}

void table_add(struct table *table, const char *const *texts)
{
	if (table->rows == TABLE_ROWS_MAX) {
		return;
	}
	for (size_t i = 0; i < table->columns; i++) {
		table->cells[table->rows][i] = strdup(texts[i]);
	}
	table->rows++;
}

static const char *cell(const struct table *table, size_t row, size_t column)
{
	const char *text = table->cells[row][column];
	return text != NULL ? text : "";
}

/* Characters, not bytes: UTF-8 continuation bytes take no room. */
static size_t width(const char *text)
{
	size_t count = 0;
	for (; *text != '\0'; text++) {
		count += (*text & 0xc0) != 0x80;
	}
	return count;
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t widest = 0;
	for (size_t row = 0; row < table->rows; row++) {
		size_t own = width(cell(table, row, column));
		widest = own > widest ? own : widest;
	}
	return widest;
}

/* The last text of a row is not padded: no line ends with blanks. */
static void write_row(const struct table *table, size_t row, const size_t *widths, FILE *file)
{
	size_t last = table->columns;
	while (last > 1 && cell(table, row, last - 1)[0] == '\0') {
		last--;
	}
	for (size_t i = 0; i < last; i++) {
		const char *text = cell(table, row, i);
		size_t pad = i + 1 < last ? widths[i] - width(text) + 2 : 0;
		fprintf(file, "%s%*s", text, (int)pad, "");
	}
	fputc('\n', file);
}

void table_write(struct table *table, FILE *file)
{
	size_t widths[TABLE_COLUMNS_MAX];
	for (size_t i = 0; i < table->columns; i++) {
		widths[i] = column_width(table, i);
	}
	for (size_t row = 0; row < table->rows; row++) {
		write_row(table, row, widths, file);
	}
	for (size_t row = 0; row < table->rows; row++) {
		for (size_t i = 0; i < table->columns; i++) {
			free(table->cells[row][i]);
		}
	}
	table->rows = 0;
}
