package main

import (
	"sync"
	"time"
)

// lag is how late a wait may end without slowing down the line: timers are not more precise.
const lag = 20 * time.Millisecond

// line is a connection of limited speed; answers that share it share its speed.
type line struct {
	bytesPerSecond int

	mutex sync.Mutex
	free  time.Time
}

func newLine(bytesPerSecond int) *line {
	return &line{bytesPerSecond: bytesPerSecond, free: time.Now()}
}

// part is how many bytes an answer should send at a time: little enough that the answers take turns.
func (l *line) part() int { return min(max(1, l.bytesPerSecond/10), 64<<10) }

// pass waits until n bytes have passed through the line.
func (l *line) pass(n int) {
	l.mutex.Lock()
	if earliest := time.Now().Add(-lag); l.free.Before(earliest) {
		l.free = earliest
	}
	l.free = l.free.Add(time.Duration(n) * time.Second / time.Duration(l.bytesPerSecond))
	end := l.free
	l.mutex.Unlock()
	time.Sleep(time.Until(end))
}
