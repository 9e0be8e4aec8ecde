# As the second example: its values come from xm's command line.
def vmid_check(var, val):
    return int(val)
xm_vars.var('vmid', use="Virtual machine id. Integer greater than 0.", check=vmid_check)
xm_vars.check()
name = "VM%d" % vmid
memory = 64
