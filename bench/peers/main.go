// peers - other lock libraries in the same closed loop as ours, and the same figures.
//
// One run measures one peer; bench/peers/compare.py takes them in turns. The
// figures, and their names in JSON, are told in README.md.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func run(plan plan, json string) error {
	window, err := measure(plan)
	if err != nil {
		return err
	}
	return report(plan, window, json)
}

func main() {
	plan, json, err := parseOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		os.Exit(64)
	}
	if err := run(plan, json); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}
