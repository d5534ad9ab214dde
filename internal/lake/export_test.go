package lake

// RefuseLinks makes every link in the folder fail.
func (f *Folder) RefuseLinks(err error) {
	f.link = func(string, string) error { return err }
}
