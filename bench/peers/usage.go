package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// clientCPU is what this process has used so far, on all processors.
func clientCPU() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// peakRSS is the highest resident set. Not getrusage's, which starts with the
// one of the program that started us.
func peakRSS() int {
	var kib int
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			fmt.Sscan(rest, &kib)
		}
	}
	return kib
}
