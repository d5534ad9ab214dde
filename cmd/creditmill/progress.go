package main

import (
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress returns what jobs tell their progress to, and what ends its display.
// Off a terminal both do nothing: cron's mail stays empty.
func (a *app) progress() (tell func(stage string, done, total int64), end func()) {
	if !a.terminal || a.json {
		return nil, func() {}
	}
	var (
		mu       sync.Mutex
		display  *mpb.Progress
		bars     = map[string]*mpb.Bar{}
		finished bool
	)
	tell = func(stage string, done, total int64) {
		mu.Lock()
		defer mu.Unlock()
		if finished || total <= 0 {
			return
		}
		if display == nil {
			display = mpb.New(mpb.WithOutput(a.stderr), mpb.WithWidth(48))
		}
		bar := bars[stage]
		if bar == nil {
			bar = display.AddBar(total,
				mpb.PrependDecorators(decor.Name(stage, decor.WC{C: decor.DindentRight, W: 8})),
				mpb.AppendDecorators(decor.Percentage(decor.WC{W: 5}), decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO, decor.WC{W: 8}), "")),
				mpb.BarRemoveOnComplete())
			bars[stage] = bar
		}
		// Full is drawn as nearly full: a stage that begins again keeps its bar.
		bar.SetTotal(total+1, false)
		bar.SetCurrent(done)
	}
	end = func() {
		mu.Lock()
		defer mu.Unlock()
		if finished = true; display == nil {
			return
		}
		for _, bar := range bars {
			bar.Abort(true)
		}
		display.Wait()
	}
	return tell, end
}
