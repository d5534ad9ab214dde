package jobs

// Open is the open month, as text: months before it are closed, and what is rated from it
// on is not settled yet.
func (l lakeText) Open() string {
	open, _ := l.mill.Lake.State().Open(l.mill.Config.FirstPeriod)
	return open.String()
}
