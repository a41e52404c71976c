// SPDX-License-Identifier: AGPL-3.0-only

package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/maccracken/hoosh"
)

const (
	durationForm = `a duration with its unit, such as 500ms, 30s, 10m, 24h or 90d`
	sizeForm     = `a size, such as 64KiB, 32MiB, 1GiB or a number of bytes`
	day          = 24 * time.Hour
)

// parseDuration reads "500ms", "1m30s", "90d". The text of its error completes
// "want a duration".
func parseDuration(s string) (time.Duration, error) {
	rest, days := s, time.Duration(0)
	if n, after, ok := strings.Cut(s, "d"); ok {
		count, err := strconv.ParseUint(n, 10, 32)
		if err != nil || time.Duration(count) > math.MaxInt64/day {
			return 0, fmt.Errorf("%q is not a duration", s)
		}
		days, rest = time.Duration(count)*day, after
		if rest == "" {
			return days, nil
		}
	}
	if strings.Trim(rest, "0123456789.") == "" && rest != "" && days == 0 {
		return 0, fmt.Errorf(`%q has no unit (did you mean "%ss"?)`, s, rest)
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 && days > 0 || days+d < days && d > 0 {
		return 0, fmt.Errorf("%q is not a duration", s)
	}
	return days + d, nil
}

// formatDuration is the shortest form that parseDuration reads: "10m", "90d".
func formatDuration(d time.Duration) string {
	if d >= 2*day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// parseSize reads "64KiB", "1GiB", "1000".
func parseSize(s string) (hoosh.Size, error) {
	digits := strings.TrimRight(s, "KMGTPiBkmgtpb ")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a size", s)
	}
	unit := hoosh.Size(1)
	switch u := s[len(digits):]; u {
	case "":
	case "KiB":
		unit = hoosh.KiB
	case "MiB":
		unit = hoosh.MiB
	case "GiB":
		unit = hoosh.GiB
	default:
		return 0, fmt.Errorf("%q is not a size%s", s, unitHint(digits, u))
	}
	if n > math.MaxInt64/int64(unit) || n < math.MinInt64/int64(unit) {
		return 0, fmt.Errorf("%q is too large", s)
	}
	return hoosh.Size(n) * unit, nil
}

// unitHint is for who writes MB: units of thousands are not taken for units of
// 1024 in silence.
func unitHint(digits, unit string) string {
	switch u := strings.ToUpper(strings.TrimSpace(unit)); u {
	case "K", "KB", "KIB", "M", "MB", "MIB", "G", "GB", "GIB":
		return fmt.Sprintf(" (did you mean \"%s%siB\"?)", digits, u[:1])
	case "B":
		return fmt.Sprintf(" (did you mean \"%s\"?)", digits)
	}
	return ""
}
