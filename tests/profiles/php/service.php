<?php
// A voucher service in PHP's own SoapServer: one request on stdin, the reply on stdout.
ini_set('soap.wsdl_cache_enabled', '0');
const TYPES = 'urn:claimbridge:voucher:1';

class Service {
    private function one($voucher) {
        if ($voucher->Company === '9999') {
            $reason = ['Code' => 'unknown-company', 'Text' => 'Company 9999 is unknown', 'Field' => 'Company'];
            throw new SoapFault('Client', 'rejected', null,
                ['Reference' => $voucher->Reference, 'Reason' => [$reason]], 'RejectedFault');
        }
        return ['Reference' => $voucher->Reference, 'Status' => 'posted',
            'JournalEntry' => ['Number' => '0000000042', 'Company' => $voucher->Company],
            'DebitTotal' => $voucher->DebitTotal];
    }
    function SubmitVoucher($request) { return ['Document' => $this->one($request->Voucher)]; }
    function SubmitVouchers($request) {
        $items = [];
        foreach ($request->Voucher as $voucher)
            $items[] = ['Reference' => $voucher->Reference, 'Document' => $this->one($voucher)];
        return ['Item' => $items];
    }
    function QueryVouchers($request) {
        $items = [];
        foreach ((array) $request->Reference as $reference)
            $items[] = ['Reference' => $reference, 'Absent' => new stdClass()];
        return ['Item' => $items];
    }
    function ListChanges($request) { return ['Document' => [], 'Cursor' => '0-0', 'More' => false]; }
    function ReverseVoucher($request) { return ['Document' => $this->one($request->Voucher)]; }
}

$server = new SoapServer($argv[1], ['soap_version' => $argv[2] === '1.2' ? SOAP_1_2 : SOAP_1_1,
    'features' => SOAP_SINGLE_ELEMENT_ARRAYS]);
$server->setObject(new Service());
$server->handle(file_get_contents('php://stdin'));
